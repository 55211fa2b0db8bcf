// Allocates and opens in its constructor, gives back in its destructor.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *text;
static int null;

__attribute__((constructor)) static void begin(void)
{
    text = strdup("made by the constructor");
    null = open("/dev/null", O_RDONLY);
}

__attribute__((destructor)) static void end(void)
{
    free(text);
    close(null);
}

const char *plugin_text(void) { return text; }
int plugin_descriptor(void) { return null; }
char *plugin_block(size_t size) { return malloc(size); }
