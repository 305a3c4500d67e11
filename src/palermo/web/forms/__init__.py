"""Forms in the design system's shape, one module a subject. Field names are the parameter names of the actions."""
