"""Error pages: the built-in template and what makes pages of templates."""
