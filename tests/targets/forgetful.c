// The sample of the README: forgets to free a name, and to close a file.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct session {
    char *name;
    struct session *next;
};

static struct session *volatile sessions;

static struct session *open_session(const char *name)
{
    struct session *session = malloc(sizeof *session);
    session->name = strdup(name); // LEAK name
    session->next = sessions;
    return sessions = session;
}

static void close_session(void)
{
    struct session *session = sessions;
    sessions = session->next;
    free(session);
}

int main(void)
{
    for (int i = 0; i < 1000; i++) {
        open_session("guest"); // VIA name
        close_session();
    }
    open("/etc/passwd", O_RDONLY); // LEAK file
    return 0;
}
