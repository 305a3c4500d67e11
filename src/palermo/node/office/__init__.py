"""Who works here: officers, units, roles, the one access policy, second-person approval, tasks and jobs."""
