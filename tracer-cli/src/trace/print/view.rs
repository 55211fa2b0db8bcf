//! A call as far as its events say it.

use calltap_channel::trace::walk::Values;

use super::arguments::{Call, Limits};
use super::failure::{self, Convention};
use super::fetch::{Results, Source};
use super::open::Open;
use crate::prototype::types::Prototype;
use crate::trace::event::{Entered, Returned, SystemCall};

/// A call that begins, if its prototype is known.
pub fn at_entry<'a>(entered: &'a Entered<'_>, limits: Limits) -> Option<Call<'a>> {
    let source = Source {
        values: &entered.values,
        sp: entered.sp,
        stack: entered.memory,
        memory: entered.memory,
        results: None,
        entered: true,
    };
    Some(Call {
        prototype: entered.function.prototype.as_deref()?,
        places: Some(entered.function.places.as_deref()?),
        source,
        memory: entered.memory,
        limits,
    })
}

/// Registers on return.
pub fn results(returned: &Returned<'_>) -> Results {
    let Values { rax, rdx, .. } = returned.values;
    Results { rax, rdx, vectors: returned.vectors, x87: returned.x87 }
}

/// A call that has returned, if its prototype is known.
pub fn at_return<'a>(
    returned: &'a Returned<'_>,
    open: Option<&'a Open>,
    results: &'a Results,
    limits: Limits,
) -> Option<Call<'a>> {
    let source = Source {
        values: open.map_or(&returned.values, |open| &open.values),
        sp: returned.sp,
        stack: open.map_or(returned.memory, |open| &open.memory),
        memory: returned.memory,
        results: (!returned.left).then_some(results),
        entered: open.is_some(),
    };
    Some(Call {
        prototype: returned.function.prototype.as_deref()?,
        places: Some(returned.function.places.as_deref()?),
        source,
        memory: returned.memory,
        limits,
    })
}

/// A system call, if its prototype is known.
pub fn system<'a>(
    call: &'a SystemCall<'_>,
    values: &'a Values,
    results: Option<&'a Results>,
    limits: Limits,
) -> Option<Call<'a>> {
    let prototype: &Prototype = call.prototype?;
    let source = Source { values, sp: 0, stack: call.memory, memory: call.memory, results, entered: true };
    Some(Call { prototype, places: None, source, memory: call.memory, limits })
}

/// Registers of a system call.
pub fn registers(call: &SystemCall<'_>) -> Values {
    Values { gprs: call.arguments, ..Values::default() }
}

/// Registers on return of a system call.
pub fn system_results(result: i64) -> Results {
    Results { rax: result as u64, ..Results::default() }
}

/// The error of a call that has returned, if it failed.
pub fn error(
    call: Option<&Call<'_>>,
    returned: &Returned<'_>,
    convention: Convention,
    before: i32,
) -> Option<i32> {
    let result = call.filter(|_| !returned.left)?.result_number();
    failure::error(convention, result, returned.errno, before)
}
