// Frees all that it allocates; what stays is the C run-time's: stdio's buffers, threads' vectors.
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char touched[100];

static void *thread(void *argument)
{
    memset(touched, 1, sizeof touched);
    printf("thread %s\n", (char *)argument);
    char *copy = strdup(argument);
    free(copy);
    return NULL;
}

int main(void)
{
    setlocale(LC_ALL, "");
    printf("buffered\n");
    fprintf(stderr, "unbuffered\n");
    char first[64];
    if (fgets(first, sizeof first, stdin))
        printf("read %s", first);
    pthread_t id[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&id[i], NULL, thread, "of four");
    for (int i = 0; i < 4; i++)
        pthread_join(id[i], NULL);
    FILE *file = fopen("/etc/passwd", "r");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) >= 0)
        ;
    free(line);
    fclose(file);
    DIR *root = opendir("/");
    while (readdir(root))
        ;
    closedir(root);
    return 0;
}
