"""Pages for browsers: server-rendered, no build step, no inline script, nothing from elsewhere.

Owns: templates, their security headers, where a page sends a browser that came by another name.
Never: an answer of the API, or a secret in a page.
"""
