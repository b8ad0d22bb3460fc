"""How these pages become an app of a phone or a computer, step by step.

Owns: nothing but the page. Never: a guess of which machine it is; the page's script knows what it
can do there.
"""

from server.http.site import Site
from server.services.people import Person
from server.web.own.sheets import sheet
from server.web.person_pages import Sheet


def steps(_site: Site, _person: Person) -> Sheet:
    """For each platform."""
    return sheet("install.html", "settings")
