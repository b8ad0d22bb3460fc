"""Pages for browsers: server-rendered, no build step, no inline script, nothing from elsewhere.

Owns: templates, their security headers, where a page sends a browser that came by another name.
Never: an answer of the API, or a secret in a page.

To add a page, add a row to `PAGES` in the `pages.py` of its capability: the path, the template,
the menu entry, and either `reads` (the rows of the API that it asks; the first one decides who sees
the page) or `load` (a function of the visit). Write the template in `templates/<capability>/`,
extending `frame.html`, or `console_frame.html` for a path under `/admin`. If the page sends
something, add a row to `FORMS` beside it: the path, the row of the API that it calls, its fields or
its body, and where the browser goes afterwards (`then`) or which template shows the answer
(`answer`). CSRF, signing with a passkey and refusals are the same for all rows (`serving.py`).
Then write a test. A script beside the template is served under its own name.
"""
