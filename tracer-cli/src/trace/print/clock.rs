//! Times of day in the local time zone.

use std::mem::MaybeUninit;

use nix::libc;

/// Hours, minutes and seconds of one minute, kept for the next event.
#[derive(Debug, Default)]
pub struct Clock {
    /// A second since 1970 and the time of day then.
    last: Option<(u64, [u64; 3])>,
}

impl Clock {
    /// Hour, minute and second of a time in seconds since 1970.
    pub fn time_of_day(&mut self, second: u64) -> [u64; 3] {
        if let Some((last, time)) = self.last
            && last == second
        {
            return time;
        }
        let time = local(second);
        self.last = Some((second, time));
        time
    }
}

fn local(second: u64) -> [u64; 3] {
    let second = libc::time_t::try_from(second).unwrap_or(libc::time_t::MAX);
    let mut time = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of their types; all bytes zero is a valid `tm`, which is what stays there if
    // the year does not fit.
    let time = unsafe {
        libc::localtime_r(&second, time.as_mut_ptr());
        time.assume_init()
    };
    [time.tm_hour, time.tm_min, time.tm_sec].map(|number| number.unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_the_seconds_of_the_time() {
        let mut clock = Clock::default();
        let [hour, minute, second] = clock.time_of_day(1_795_295_817);
        assert!(hour < 24 && minute < 60);
        assert_eq!(second, 1_795_295_817 % 60);
        assert_eq!(clock.time_of_day(1_795_295_817), [hour, minute, second]);
        assert_eq!(clock.time_of_day(1_795_295_818)[2], second + 1);
    }
}
