//! Which library call made which system call.
