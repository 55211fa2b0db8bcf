//! Adding up what belongs together.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

/// Members with one key, added up.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<M> {
    /// The sum.
    pub sum: M,
    /// The member of the greatest weight.
    pub first: M,
}

/// Adds up the members of each key. The heaviest group comes first, of equal ones the one that was
/// met first.
pub fn group<K: Eq + Hash, M: Clone, W: Ord>(
    members: impl Iterator<Item = (K, M)>,
    weight: impl Fn(&M) -> W,
    add: impl Fn(&mut M, &M),
) -> Vec<Group<M>> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Group<M>> = Vec::new();
    for (key, member) in members {
        let next = groups.len();
        let place = *places.entry(key).or_insert(next);
        match groups.get_mut(place) {
            Some(group) => {
                add(&mut group.sum, &member);
                if weight(&member) > weight(&group.first) {
                    group.first = member;
                }
            }
            None => groups.push(Group { sum: member.clone(), first: member }),
        }
    }
    groups.sort_by_key(|group| Reverse(weight(&group.sum)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_comes_first_and_stands_for_its_group() {
        let members = [("a", (1, 'p')), ("b", (4, 'q')), ("a", (5, 'r')), ("c", (4, 's'))];
        let groups = group(members.into_iter(), |m| m.0, |sum, m| sum.0 += m.0);
        let told: Vec<_> = groups.iter().map(|group| (group.sum.0, group.first.1)).collect();
        assert_eq!(told, [(6, 'r'), (4, 'q'), (4, 's')]);
    }
}
