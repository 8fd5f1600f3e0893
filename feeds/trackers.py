"""What is made to count readers: images that nobody is to see, and parameters that say where one came from. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# These hosts, and hosts below them, serve nothing else.
_HOST_NAMES = """
    2o7.net adnxs.com adsrvr.org assoc-amazon.com bluekai.com chartbeat.net clicky.com cmail19.com cmail20.com
    criteo.com demdex.net doubleclick.net eotrx.substackcdn.com feedsportal.com google-analytics.com
    googlesyndication.com googletagmanager.com hitslink.com hotjar.com imrworldwide.com in.getclicky.com ioam.de
    ivwbox.de krxd.net mf.feeds.reuters.com mixpanel.com omtrdc.net openx.net outbrain.com parsely.com
    pheedcontent.com pheedo.com pixel.newsblur.com pixel.wp.com quantserve.com rlcdn.com rss.buysellads.com
    scorecardresearch.com segment.io statcounter.com stats.buysellads.com stats.wordpress.com taboola.com
    vgwort.de zedo.com
"""
_HOSTS = frozenset(_HOST_NAMES.split())
# Hosts that serve other things too: these paths of theirs.
_PATHS = (
    ("feeds.feedburner.com", re.compile(r"/~(?:r|ff|a|f)/")),
    ("feeds.wordpress.com", re.compile(r"/1\.0/")),
    ("facebook.com", re.compile(r"/tr/?$")),
    ("amazon-adsystem.com", re.compile(r"/e/ir")),
    ("blogger.googleusercontent.com", re.compile(r"/tracker/")),
    ("blogspot.com", re.compile(r"/tracker/")),
    ("medium.com", re.compile(r"/_/stat")),
    ("list-manage.com", re.compile(r"/track/")),
    ("linkedin.com", re.compile(r"/(?:px|collect)")),
    ("twitter.com", re.compile(r"/i/adsct")),
    ("bing.com", re.compile(r"/action/")),
    ("plausible.io", re.compile(r"/api/")),
    ("pinterest.com", re.compile(r"/v3/")),
)
_ANYWHERE = re.compile(
    r"/(?:piwik|matomo)\.php|/(?:b|spacer|clear|blank|transparent|1x1|pixel|counter|count|webbug|beacon)\.gif$"
    r"|/(?:tracking[_-]?)?pixel(?:\.(?:php|png|gif|jpe?g))?/?$|/wf/open$|/open\.aspx$|/o\.gif$|/emimp/",
    re.IGNORECASE,
)

_PARAMETER_NAMES = """
    _hsenc _hsmi __hsfp __hssc __hstc hsctatracking __s _openstat at_campaign at_medium dclid fb_action_ids
    fb_action_types fb_ref fb_source fbclid ga_campaign ga_content ga_medium ga_source ga_term gbraid gclid gclsrc
    igsh igshid mc_cid mc_eid mkt_tok msclkid ns_campaign ns_mchannel ns_source oly_anon_id oly_enc_id rb_clickid
    s_cid spm srsltid twclid vero_conv vero_id wbraid wickedid wt_mc xtor yclid ysclid
"""
_PARAMETERS = frozenset(_PARAMETER_NAMES.split())
_PARAMETER_PREFIXES = ("utm_", "hsa_", "mtm_", "pk_", "piwik_", "matomo_", "stm_")
_WHERE_FROM = frozenset({"rss", "feed", "atom", "rss-feed", "rss_feed"})


def is_tracker(url: str) -> bool:
    """Whether an image at that address is known to be for counting."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    labels = host.split(".")
    if any(".".join(labels[start:]) in _HOSTS for start in range(len(labels) - 1)):
        return True
    if any((host == name or host.endswith(f".{name}")) and path.match(parts.path) for name, path in _PATHS):
        return True
    return _ANYWHERE.search(parts.path) is not None


def without_tracking(url: str) -> str:
    """The address without fragment and without parameters that tell whose link was followed; the rest as it was.

    ValueError when it is no address at all.
    """
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not _is_tracking(*pair.partition("=")[::2])]
    return urlunsplit(parts._replace(query="&".join(kept), fragment=""))


def _is_tracking(name: str, value: str) -> bool:
    name = name.lower()
    if name in ("source", "ref", "from"):  # a page may need them; not with these values
        return value.lower() in _WHERE_FROM
    return name in _PARAMETERS or name.startswith(_PARAMETER_PREFIXES)
