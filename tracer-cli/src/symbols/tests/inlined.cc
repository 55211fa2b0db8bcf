// `enter` calls back out of two functions that are inlined into it.
namespace places {
template <class T> struct Box {
    static inline __attribute__((always_inline)) void innermost(void (*site)()) {
        site(); // INNERMOST
        asm volatile("");
    }
};
inline __attribute__((always_inline)) void middle(void (*site)(), long) {
    Box<int>::innermost(site); // MIDDLE
}
// Not exported, and not inlined.
__attribute__((noinline, visibility("hidden"))) void hidden(void (*site)()) {
    middle(site, 1); // HIDDEN
}
} // namespace places

extern "C" void enter(void (*site)()) {
    places::middle(site, 2); // OUTERMOST
    places::hidden(site);
    asm volatile("");
}
