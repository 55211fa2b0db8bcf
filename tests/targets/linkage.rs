// What rustc makes calls foreign functions through the global offset table, without a procedure linkage table.
use std::ffi::{CString, c_char, c_int, c_long, c_void};

unsafe extern "C" {
    fn strlen(text: *const c_char) -> usize;
    fn labs(number: c_long) -> c_long;
    fn getppid() -> c_int;
    fn calloc(count: usize, size: usize) -> *mut c_void;
}

fn main() {
    let times: c_long = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let text = CString::new("seventeen").unwrap();
    let mut sum = 0;
    for index in 0..times {
        unsafe {
            sum += strlen(text.as_ptr()) as c_long + labs(-index) + c_long::from(getppid() > 0);
            sum += c_long::from(!calloc(1, index as usize + 1).is_null());
        }
    }
    println!("sum={sum}");
    for name in ["strlen", "labs", "getppid", "calloc"] {
        println!("calls.{name}={times}");
    }
    std::process::exit(7);
}
