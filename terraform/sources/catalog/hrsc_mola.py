"""The source `hrsc_mola`: the HRSC and MOLA blended elevation of Mars, 200 m (Fergason, Hare and Laura 2018)."""

from terraform.config import Config, HrscMolaSource
from terraform.geo.bodies import MARS
from terraform.provenance import Credit
from terraform.sources import DataSource
from terraform.sources.remote.store import open_store
from terraform.sources.remote_raster.global_dem import GlobalDemSource

CREDIT = Credit(
    "hrsc_mola", "LicenseRef-Public-Domain", "HRSC and MOLA Blended DEM v2, USGS Astrogeology, NASA/ESA/DLR/FU Berlin"
)
"""Fergason, R. L., Hare, T. M., and Laura, J. (2018), Astrogeology PDS Annex."""

_FILE = "Mars_HRSC_MOLA_BlendDEM_Global_200mp_v2.tif"
_SHAPE = (53_347, 106_694)


def build(settings: HrscMolaSource, config: Config) -> DataSource:
    """Build the source as configured."""
    store = open_store(settings, config.downloads, "v2")
    # In degrees of the sphere of 3,396.19 km; 106,694 columns are 0.46 pixels short of closing.
    return GlobalDemSource(store, _FILE, "200m", MARS, "IAU_2015:49900", True, _SHAPE, CREDIT)
