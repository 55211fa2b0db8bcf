//! Who used the heap most.

use super::table::aligned;
use super::{Page, place, stack};
use crate::report::model::{Heap, UseTotal, Uses};
use crate::report::stacks::GroupBy;
use crate::report::units::{bytes, plural};

/// If no grouping was asked for there are so many rows of each value.
const ROWS: usize = 3;

/// Something of which one can use much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Peak,
    Allocated,
    Allocations,
    Temporary,
}

impl Value {
    fn name(self) -> &'static str {
        match self {
            Self::Peak => "at the peak",
            Self::Allocated => "by bytes allocated",
            Self::Allocations => "by allocations",
            Self::Temporary => "by temporary allocations",
        }
    }

    fn rows(self, uses: &Uses) -> &[UseTotal] {
        match self {
            Self::Peak => &uses.peak,
            Self::Allocated => &uses.allocated,
            Self::Allocations => &uses.allocations,
            Self::Temporary => &uses.temporary,
        }
    }

    fn of(self, user: &UseTotal) -> u64 {
        match self {
            Self::Peak => user.peak_bytes,
            Self::Allocated => user.allocated_bytes,
            Self::Allocations => user.allocations,
            Self::Temporary => user.temporary,
        }
    }

    /// Of all users together.
    fn total(self, heap: &Heap) -> u64 {
        match self {
            Self::Peak => heap.peak_live_bytes,
            Self::Allocated => heap.allocated_bytes,
            Self::Allocations => heap.allocations,
            Self::Temporary => heap.temporary_allocations,
        }
    }

    fn amount(self, count: u64) -> String {
        match self {
            Self::Peak | Self::Allocated => bytes(count),
            Self::Allocations | Self::Temporary => plural(count, "allocation"),
        }
    }

    /// Bytes and blocks.
    fn cells(self, user: &UseTotal) -> [String; 2] {
        let (size, blocks) = match self {
            Self::Peak => (Some(user.peak_bytes), user.peak_blocks),
            Self::Allocated => (Some(user.allocated_bytes), user.allocations + user.reallocations),
            Self::Allocations => (Some(user.allocated_bytes), user.allocations),
            // How large they were is not kept.
            Self::Temporary => (None, user.temporary),
        };
        [size.map(bytes).unwrap_or_default(), blocks.to_string()]
    }
}

pub(super) fn uses_part(heap: &Heap, page: &Page<'_>) -> String {
    let Some(group_by) = page.view.group_by else {
        return summary(heap, page);
    };
    let values = [Value::Peak, Value::Allocated, Value::Allocations, Value::Temporary];
    values.into_iter().map(|value| part(value, heap, group_by, page)).collect()
}

/// One line each, as nobody asked for more.
fn summary(heap: &Heap, page: &Page<'_>) -> String {
    let mut rows = Vec::new();
    for value in [Value::Peak, Value::Allocations, Value::Temporary] {
        let mut name = value.name();
        for user in value.rows(&heap.by_caller).iter().take(ROWS.min(page.view.top)) {
            let [size, blocks] = value.cells(user);
            rows.push([name.to_owned(), size, blocks, place::caller(&user.stack, None, &page.paths)]);
            name = "";
        }
    }
    let most = rows.len();
    aligned(
        ["users of the heap", "bytes", "blocks", "in"],
        |column| matches!(column, 1 | 2),
        rows.into_iter(),
        "",
        most,
    )
}

fn part(value: Value, heap: &Heap, group_by: GroupBy, page: &Page<'_>) -> String {
    let users = value.rows(&heap.by_stack);
    if users.is_empty() {
        return String::new();
    }
    let total = value.total(heap);
    let mut text = format!("  users of the heap {}: {}\n", value.name(), value.amount(total));
    let shown = &users[..users.len().min(page.view.top)];
    if group_by == GroupBy::Stack {
        for user in shown {
            let [size, blocks] = value.cells(user);
            let size = if size.is_empty() { size } else { size + " in " };
            let blocks = if blocks == "1" { "1 block".to_owned() } else { blocks + " blocks" };
            text += &format!("    {size}{blocks} by {}\n", place::called(&user.function));
            text += &stack::lines(&user.stack, 8, page);
        }
    } else {
        let rows = shown.iter().map(|user| {
            let [size, blocks] = value.cells(user);
            [size, blocks, page.group(user.group.as_deref(), &user.stack, group_by)]
        });
        text +=
            &aligned(["bytes", "blocks", page.noun(group_by)], |column| column < 2, rows, "", shown.len());
    }
    let rest = total.saturating_sub(shown.iter().map(|user| value.of(user)).sum());
    let groups = heap.by_stack.groups.saturating_sub(shown.len() as u64);
    if rest > 0 && groups > 0 {
        text += &page.more(groups, group_by, &value.amount(rest));
    }
    text
}
