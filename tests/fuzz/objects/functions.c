/* What scripts/fuzz-corpus builds small objects of: functions of each kind of type, one that is found at load time. */
#include <stddef.h>

enum colour { RED, GREEN = 5, BLUE };
struct point { int x, y; };
union either { long number; double real; };
struct list { struct list *next; struct point points[3]; enum colour colour; union either value; char name[8]; };
typedef int (*callback)(const void *, const void *);

extern void *malloc(size_t);
extern void free(void *);

int counter = 3;
static struct list head;

static int inner(int value) { return value * counter; }

int first(int number, const char *text) { return inner(number) + (text ? text[0] : 0); }
struct point second(struct point point, double scale) { point.x = (int)(point.x * scale); return point; }
void *third(struct list *list, callback compare, size_t count)
{
    struct list *made = malloc(count * sizeof *list);
    if (made && compare(list, made))
        free(made);
    return made ? made : &head;
}
float fourth(enum colour colour, union either either, long double wide, _Bool flag)
{
    return (float)(colour + either.real + wide + flag);
}
int variadic(const char *format, ...) { return format[0]; }

static int chosen(int value) { return inner(value) + 1; }
static int (*choose(void))(int) { return chosen; }
int fifth(int value) __attribute__((ifunc("choose")));

int _start(void) { return fifth(first(1, "text")); }
