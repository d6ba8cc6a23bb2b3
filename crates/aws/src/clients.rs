//! Clients of the services that only some functions call: made at the first call, kept for all later invocations.
//!
//! A client that is made anew asks for credentials anew, and leaves an entry in the cache of identities behind.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One client of each type; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    made: Arc<Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>>,
}

impl Clients {
    /// The client of this type, made by `make` where there is none yet.
    pub(crate) fn get<C: Any + Clone + Send + Sync>(&self, make: impl FnOnce() -> C) -> C {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let there = made.get(&TypeId::of::<C>()).and_then(|client| client.downcast_ref::<C>().cloned());
        there.unwrap_or_else(|| {
            let client = make();
            made.insert(TypeId::of::<C>(), Box::new(client.clone()));
            client
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_made_once_for_all_clones() {
        let clients = Clients::default();
        assert_eq!(clients.get(|| "first"), "first");
        assert_eq!(clients.clone().get(|| "second"), "first");
        assert_eq!(clients.get(|| 3), 3);
    }
}
