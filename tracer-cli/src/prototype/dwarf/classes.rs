//! How C++ passes a class: as its members would be, or by its address.
//!
//! The compiler says it (`DW_AT_calling_convention`), or what the class is made of does: it is passed by its address if
//! copying or destroying it is more than copying its bytes (Itanium C++ ABI, 3.1.2.3).

use gimli::AttributeValue;

use super::entries::Entry;
use super::types::Types;

/// Classes within one another above which the debug information makes no sense.
const MAX_DEPTH: usize = 32;
/// Value of `DW_AT_defaulted`: `= default` where it is declared.
const DEFAULTED_IN_CLASS: u64 = 1;

impl<'d> Types<'_, 'd> {
    /// Whether a class is never passed itself, but a pointer to it; `None` if that cannot be told.
    pub(super) fn by_reference(&self, entry: &Entry<'d>) -> Option<bool> {
        self.needs_address(entry, 0)
    }

    fn needs_address(&self, class: &Entry<'d>, depth: usize) -> Option<bool> {
        if depth > MAX_DEPTH || self.entries.flag(class, gimli::DW_AT_declaration) {
            return None;
        }
        match self.entries.value(class, gimli::DW_AT_calling_convention) {
            Some(AttributeValue::CallingConvention(how)) => {
                return Some(how == gimli::DW_CC_pass_by_reference);
            }
            Some(_) => return None,
            None => {}
        }
        let children = self.entries.children(class);
        if children.iter().any(|child| self.is_special(class, child)) {
            return Some(true);
        }
        let mut certain = true;
        for part in children.iter().filter(|child| self.is_part(child)) {
            if let Some(within) = self.element(part).filter(|element| self.is_aggregate(element)) {
                match self.needs_address(&within, depth + 1) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => certain = false,
                }
            }
        }
        certain.then_some(false)
    }

    /// Whether it is a function or base by which a value is more than its bytes.
    fn is_special(&self, class: &Entry<'d>, child: &Entry<'d>) -> bool {
        let virtuality = self.entries.value(child, gimli::DW_AT_virtuality);
        if let Some(AttributeValue::Virtuality(how)) = virtuality
            && how != gimli::DW_VIRTUALITY_none
        {
            return true;
        }
        // What the compiler adds does what the members' own functions do.
        let by_user = child.tag == gimli::DW_TAG_subprogram
            && !self.entries.flag(child, gimli::DW_AT_artificial)
            && self.entries.number(child, gimli::DW_AT_defaulted) != Some(DEFAULTED_IN_CLASS);
        if !by_user {
            return false;
        }
        let Some(name) = self.entries.text(child, gimli::DW_AT_name) else { return false };
        let own =
            self.entries.text(class, gimli::DW_AT_name).map(|name| name.split('<').next().unwrap_or(name));
        name.starts_with('~') || own == Some(name) && self.takes_itself(class, child)
    }

    /// Whether a constructor copies or moves: its first parameter is a reference to the class.
    fn takes_itself(&self, class: &Entry<'d>, constructor: &Entry<'d>) -> bool {
        let children = self.entries.children(constructor);
        let parameters = children.iter().filter(|child| child.tag == gimli::DW_TAG_formal_parameter);
        let mut behind_this = parameters.filter(|child| !self.entries.flag(child, gimli::DW_AT_artificial));
        let reference = behind_this.next().and_then(|parameter| self.element(parameter));
        let is_reference = |entry: &Entry<'d>| {
            matches!(entry.tag, gimli::DW_TAG_reference_type | gimli::DW_TAG_rvalue_reference_type)
        };
        let to = reference.filter(is_reference).and_then(|reference| self.element(&reference));
        to.is_some_and(|to| to.key() == class.key())
    }
}
