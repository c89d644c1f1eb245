"""A team's own repository: begin it, synthesise its workflow, deploy it."""
