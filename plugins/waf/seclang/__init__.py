"""SecLang, the rule language of ModSecurity 3: text to checked directives."""
