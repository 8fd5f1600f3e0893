"""The reader's contract row by row, over HTTP, against one running site with its workers.

Each test has users of its own, so none leans on another. ``client.Reader`` holds every answer to what the contract
says of all of them.
"""
