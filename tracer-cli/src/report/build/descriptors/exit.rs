//! The ledger beside what the kernel had at exit.

use calltap_analyzers::descriptors::{Difference, DifferenceKind, Reconciliation};

use super::super::super::model::{self, AtExit};
use super::super::Sites;
use super::calls::call;

pub(super) fn at_exit(compared: &Reconciliation, sites: &mut Sites<'_, '_>) -> AtExit {
    let only = |kind| compared.differences.iter().filter(|difference| difference.kind == kind).count() as u64;
    let (all, agreed) = (compared.differences.len() as u64, compared.identical);
    AtExit {
        in_ledger: agreed + all - only(DifferenceKind::OnlyInKernel),
        in_kernel: agreed + all - only(DifferenceKind::OnlyInLedger),
        agreed,
        differences: compared.differences.iter().map(|one| difference(one, sites)).collect(),
    }
}

fn difference(difference: &Difference, sites: &mut Sites<'_, '_>) -> model::Difference {
    let (kind, path) = &difference.in_ledger;
    let in_ledger = match String::from_utf8_lossy(path) {
        path if path.is_empty() => (*kind).to_owned(),
        path => format!("{kind} {path}"),
    };
    let in_kernel = String::from_utf8_lossy(&difference.in_kernel).into_owned();
    let (kind, in_ledger, in_kernel) = match difference.kind {
        DifferenceKind::OnlyInKernel => ("only_in_kernel", None, Some(in_kernel)),
        DifferenceKind::OnlyInLedger => ("only_in_ledger", Some(in_ledger), None),
        DifferenceKind::OtherTarget => ("other_target", Some(in_ledger), Some(in_kernel)),
    };
    let opened = difference.opened.as_ref().map(|opened| call(opened, sites));
    model::Difference { fd: difference.fd.0, kind, in_ledger, in_kernel, opened }
}
