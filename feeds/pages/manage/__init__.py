"""Pages on which a reader looks after sources, categories, mutes and options.

Every page works without JavaScript; with it, links marked ``data-dialog`` open in a dialog (``static/js/
reader-manage.js`` asks for the same page with ``HX-Request`` and gets it without the frame around it). GET changes
nothing; what changes something is POST, and answers with a redirect (``HX-Redirect`` for the dialog) or with the form
and status 422.
"""
