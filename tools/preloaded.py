"""What a killed stage finds imported, so that its work is killed and not its imports."""

import matplotlib.figure  # noqa: F401
import onnxscript  # noqa: F401
import torch  # noqa: F401
import torchmetrics  # noqa: F401

import terraform.__main__
import terraform.evaluation.evaluate
import terraform.learn.onnx
import terraform.learn.train
import terraform.mosaic.any_raster
import terraform.mosaic.picture.planet
import terraform.mosaic.region
import terraform.pairs.cut
import terraform.planet.base_colours
import terraform.planet.base_model
import terraform.planet.climate
import terraform.show.boards
import terraform.sources.fetch
import terraform.viewer.export  # noqa: F401
