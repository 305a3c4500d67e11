"""Pages for people: one module a subject. A page composes queries, a write calls one action, no rule is here."""
