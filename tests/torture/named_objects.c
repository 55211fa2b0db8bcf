// Named semaphores, shared memory and message queues, used by two processes, and the old System V ones.
//
// torture: libraries -pthread -lrt
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    // Names of this process's own: others may run at the same time.
    char name[64];
    snprintf(name, sizeof name, "/torture-%d", (int)getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    MUST(semaphore != SEM_FAILED && !sem_unlink(name));
    int memory = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    MUST(memory >= 0 && !shm_unlink(name) && !ftruncate(memory, 4096));
    volatile int *number = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    MUST(number != MAP_FAILED);
    struct mq_attr attributes = {.mq_maxmsg = 5, .mq_msgsize = 100};
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (queue == (mqd_t)-1 && (errno == ENOSYS || errno == EACCES)) {
        fprintf(stderr, "no message queues here\n");
        return 77;
    }
    MUST(queue >= 0 && !mq_unlink(name));
    printf("descriptors %d %d\n", memory, (int)queue);

    int old_memory = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), old_semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    int old_queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    MUST(old_memory >= 0 && old_semaphore >= 0 && old_queue >= 0);
    volatile int *old_number = shmat(old_memory, NULL, 0);
    MUST((intptr_t)old_number != -1 && !shmctl(old_memory, IPC_RMID, NULL));
    struct { long kind; char text[20]; } message = {7, "old message"};

    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        *number = 41;
        *old_number = 42;
        MUST(!mq_send(queue, "message", 8, 3));
        MUST(!msgsnd(old_queue, &message, sizeof message.text, 0));
        MUST(!sem_post(semaphore));
        struct sembuf up = {0, 1, 0};
        MUST(!semop(old_semaphore, &up, 1));
        _exit(0);
    }
    MUST(!sem_wait(semaphore));
    struct sembuf down = {0, -1, 0};
    MUST(!semop(old_semaphore, &down, 1));
    char text[100];
    unsigned priority;
    MUST(mq_receive(queue, text, sizeof text, &priority) == 8 && priority == 3 && !strcmp(text, "message"));
    MUST(msgrcv(old_queue, &message, sizeof message.text, 7, 0) == sizeof message.text);
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(*number == 41 && *old_number == 42);
    MUST(!semctl(old_semaphore, 0, IPC_RMID) && !msgctl(old_queue, IPC_RMID, NULL));
    MUST(!shmdt((const void *)old_number) && !mq_close(queue) && !sem_close(semaphore) && !close(memory));
    printf("call.shm_open=1\ncall.mq_open=1\ncall.mq_close=1\ncall.shmat=1\ncall.shmdt=1\ncall.sem_wait=1\ncall.fork=1\n");
    return 0;
}
