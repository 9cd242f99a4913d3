"""Real servers on loopback that stand for the remote services, and the faults that services have.

nginx serves files with byte ranges; MapServer and MapCache behind it speak WMS and WMTS as the Sentinel-2 service does;
`faults` is a proxy that breaks answers by a script; `earthengine` speaks Earth Engine's REST to the real client. What
they show is a function of longitude and latitude (`surface`), so that a misplaced pixel is a wrong pixel.
"""
