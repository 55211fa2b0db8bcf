// A robust mutex whose owner dies, in a thread and in another process, and locks of readers and writers under load.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "must.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long first, second, rdlocks, wrlocks;

static void *take_and_end(void *mutex)
{
    MUST(!pthread_mutex_lock(mutex));
    return NULL;
}

static void *work(void *writes)
{
    for (int i = 0; i < 2000; i++)
        if (writes && i % 4 == 0) {
            MUST(!pthread_rwlock_wrlock(&lock));
            __atomic_add_fetch(&wrlocks, 1, __ATOMIC_RELAXED);
            first++;
            second--;
            MUST(!pthread_rwlock_unlock(&lock));
        } else {
            MUST(!pthread_rwlock_rdlock(&lock));
            __atomic_add_fetch(&rdlocks, 1, __ATOMIC_RELAXED);
            MUST(first + second == 0);
            MUST(!pthread_rwlock_unlock(&lock));
        }
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    MUST(!pthread_mutexattr_init(&attributes));
    MUST(!pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    MUST(!pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(mutex != MAP_FAILED && !pthread_mutex_init(mutex, &attributes));
    int locks = 0;
    for (int i = 0; i < 20; i++) {
        if (i % 2) {
            pthread_t thread;
            MUST(!pthread_create(&thread, NULL, take_and_end, mutex) && !pthread_join(thread, NULL));
        } else {
            int status;
            pid_t child = fork();
            if (child == 0) {
                take_and_end(mutex);
                raise(9);
            }
            MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        }
        MUST(pthread_mutex_lock(mutex) == EOWNERDEAD);
        MUST(!pthread_mutex_consistent(mutex) && !pthread_mutex_unlock(mutex));
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        MUST(!pthread_mutex_lock(mutex));
        MUST(pthread_mutex_trylock(mutex) == EBUSY);
        MUST(pthread_mutex_timedlock(mutex, &now) == ETIMEDOUT);
        MUST(!pthread_mutex_unlock(mutex));
        locks += 3;
    }
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        MUST(!pthread_create(&threads[i], NULL, work, i < 2 ? &lock : NULL));
    for (int i = 0; i < 6; i++)
        MUST(!pthread_join(threads[i], NULL));
    printf("call.pthread_mutex_lock=%d\ncall.pthread_mutex_timedlock=20\ncall.pthread_rwlock_rdlock=%ld\n"
           "call.pthread_rwlock_wrlock=%ld\n", locks, rdlocks, wrlocks);
    return 0;
}
