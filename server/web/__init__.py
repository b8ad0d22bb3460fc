"""Pages for browsers: server-rendered, no build step, no inline script, no external resources.

Owns: templates, security headers, redirects to the issuer's host name.
Never: business rules; secrets in a page.

To add a page, add a row to `PAGES` in the `pages.py` of its capability: the path, the template,
the menu entry, and either `reads` (the API routes that it calls; the first one decides who sees the
page) or `load` (a function of the visit). Write the template in `templates/<capability>/`,
extending `frame.html`, or `console_frame.html` for a path under `/admin`. If the page has a form,
add a row to `FORMS`: the path, the API route that it calls, its fields or its body, and where the
browser goes afterwards (`then`) or which template shows the response (`answer`). CSRF, signing with
a passkey and refusals work the same for all rows (`serving.py`). Then write a test. A script in the
template's folder is served under its own name.
"""
