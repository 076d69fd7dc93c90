"""Tables with expiry that outlive a request: `memory`, `local` (LMDB) and `redis` behind one interface."""
