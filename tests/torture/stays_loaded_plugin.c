// A plugin of C that needs the library of C++.
int library_work(int count);
int plugin_work(int count) { return library_work(count); }
