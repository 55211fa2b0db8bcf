//! What is opened faster than it is closed.

use super::super::Page;
use super::super::place::at;
use crate::report::model::{Descriptors, Forecast, Growing};
use crate::report::units::{long_time, plural, rate};

pub(super) fn growth_part(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let mut text = String::new();
    let (shown, beyond) = descriptors.growing.split_at(descriptors.growing.len().min(page.view.top));
    for growing in shown {
        text += &format!("    {}\n", line(growing, page));
    }
    if !beyond.is_empty() {
        text += &format!("    ... and {} (see --top)\n", plural(beyond.len() as u64, "more growing stack"));
    }
    if let Some(forecast) = &descriptors.forecast {
        text += &format!("    {}\n", forecast_line(forecast));
    }
    text
}

/// Its stack is shown with what is left there.
fn line(growing: &Growing, page: &Page<'_>) -> String {
    format!(
        "grows by {}, confidence {}: {} still open by {} {}",
        rate(growing.per_minute),
        confidence(growing.confidence),
        still_open(growing),
        growing.function,
        at(&growing.stack, Some(&growing.site), &page.paths),
    )
}

/// `12 of 40`, or `12` if none was closed.
pub(in crate::report) fn still_open(growing: &Growing) -> String {
    match growing.opened > growing.still_open {
        true => format!("{} of {}", growing.still_open, growing.opened),
        false => growing.still_open.to_string(),
    }
}

/// Cut off, not rounded: nothing is quite certain.
fn confidence(confidence: f64) -> String {
    format!("{:.3}", (confidence * 1000.0).floor() / 1000.0).replace("1.000", "0.999")
}

fn forecast_line(forecast: &Forecast) -> String {
    let Forecast { in_use, limit, exhausted_in_ns, .. } = forecast;
    let rate = rate(forecast.per_minute);
    match exhausted_in_ns {
        0 => format!("the limit of {limit} is reached: {in_use} in use, growing by {rate}"),
        ns => format!(
            "EMFILE in {} at this rate: {in_use} in use, growing by {rate}, limit {limit}",
            long_time(*ns)
        ),
    }
}
