"""What phone apps speak: the API of the late Google Reader, and that of Fever.

Both are thin: names of streams and items (``names``), which posts they stand for (``streams``), how a post is told
(``shapes``), read marks (``marking``). Who calls is the site's business: it gives the views their authentication.
Subscriptions are not changed here, and there are no stars.
"""
