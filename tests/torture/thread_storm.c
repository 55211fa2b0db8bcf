// A thousand short threads, with thread-specific data whose destructors allocate and make new data.
//
// torture: libraries -pthread
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 1000, AT_ONCE = 20 };
static pthread_key_t key;
static atomic_long destroyed, sum;
static __thread char own[100];

static void destroy(void *data)
{
    long rounds = *(long *)data;
    free(data);
    destroyed++;
    if (rounds) {
        // glibc calls destructors again, up to four times.
        long *again = sunk(malloc(sizeof *again));
        *again = rounds - 1;
        pthread_setspecific(key, again);
    }
}

static void *work(void *number)
{
    long *rounds = sunk(malloc(sizeof *rounds));
    *rounds = (long)number % 3;
    pthread_setspecific(key, rounds);
    memset(own, (int)(long)number, sizeof own);
    int fd = open("/dev/null", O_WRONLY);
    EXPECT(fd >= 3 && write(fd, own, sizeof own) == sizeof own && close(fd) == 0);
    sum += (long)number;
    if ((long)number % 2)
        pthread_exit(number);
    return number;
}

int main(void)
{
    EXPECT(pthread_key_create(&key, destroy) == 0);
    for (long first = 0; first < THREADS; first += AT_ONCE) {
        pthread_t threads[AT_ONCE];
        void *result;
        for (long i = 0; i < AT_ONCE; i++)
            EXPECT(pthread_create(&threads[i], NULL, work, (void *)(first + i)) == 0);
        for (long i = 0; i < AT_ONCE; i++)
            EXPECT(pthread_join(threads[i], &result) == 0 && result == (void *)(first + i));
    }
    EXPECT(sum == THREADS * (THREADS - 1) / 2);
    printf("destroyed %ld, next descriptor %d\n", (long)destroyed, open("/dev/null", O_RDONLY));
    printf("call.malloc=%ld\ncall.free=%ld\ncall.open=1001\ncall.close=1000\n", (long)destroyed, (long)destroyed);
    return 0;
}
