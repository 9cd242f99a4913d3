"""A planet in the browser: a folder of tiles and one page that needs no server."""
