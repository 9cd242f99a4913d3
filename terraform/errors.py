"""Every error a user can cause, by what the user has to change. The class decides the exit code."""


class TerraformError(Exception):
    """Something the user can mend; the message says what was given, what was expected, what to do."""

    exit_code = 1


class ConfigError(TerraformError):
    """The configuration, a command-line value or `regions.geojson` is wrong."""

    exit_code = 2


class InputError(TerraformError):
    """A raster, a pair set or a weights file is missing, unreadable or of the wrong kind."""

    exit_code = 3


class RemoteError(TerraformError):
    """A remote service refused, failed or asked to come back later."""

    exit_code = 4


class ResourceError(TerraformError):
    """The machine lacks disk space, memory or permission."""

    exit_code = 5


class IntegrityError(TerraformError):
    """A file's content is not what its provenance, digest or state says."""

    exit_code = 6
