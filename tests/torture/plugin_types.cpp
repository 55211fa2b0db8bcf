// Types across a plugin: virtual inheritance, dynamic_cast, typeinfo, and exceptions of its classes.
//
// torture: plugin types_plugin.cpp
// torture: libraries -ldl -rdynamic
#include <cstring>
#include <dlfcn.h>
#include <typeinfo>

#include "check.h"
#include "types.h"

int Base::alive = 0;
Base::Base() { alive++; }
Base::~Base() { alive--; }
const char *Base::name() const { return "base"; }

int main(int, char **argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/types_plugin.so", argv[1]);
    for (int round = 0; round < 5; round++) {
        void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!plugin)
            fprintf(stderr, "%s\n", dlerror());
        EXPECT(plugin != nullptr);
        auto make = (Base * (*)(int)) dlsym(plugin, "make");
        for (int kind = 0; kind < 3; kind++) {
            Base *made = make(kind);
            auto left = dynamic_cast<Left *>(made);
            auto right = dynamic_cast<Right *>(made);
            printf("%s %s left %d right %d\n", typeid(*made).name(), made->name(), left ? left->left() : -1,
                   right ? right->right() : -1);
            if (left && right)
                EXPECT(dynamic_cast<Right *>(left) == right && dynamic_cast<Base *>(right) == made);
            delete made;
        }
        try {
            make(99);
            return 1;
        } catch (const Refusal &refusal) {
            EXPECT(strcmp(refusal.what(), "no such kind") == 0);
        }
        EXPECT(Base::alive == 0 && dlclose(plugin) == 0);
    }
    printf("call.dlopen=5\ncall.dlclose=5\n");
    return 0;
}
