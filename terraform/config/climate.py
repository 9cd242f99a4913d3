"""The climate of a body: its astronomy, the knobs, and the constants fitted on Earth (benchmarks/climate.py)."""

from pydantic import Field

from terraform.config.section import Section


class Orbit(Section):
    """How sunlight falls on a body in the course of its year and day."""

    sunlight_w_m2: float = Field(1361.0, gt=0)
    """Sunlight at the mean distance, W/m2 (Kopp and Lean 2011). Mars gets 589; terraformed it is given Earth's, so that
    the contrast between equator and poles is Earth's too."""
    obliquity_deg: float = Field(23.44, ge=0, le=90)
    """Angle between the equator and the orbit, degrees (NASA fact sheets: Earth 23.44, Mars 25.19)."""
    eccentricity: float = Field(0.0167, ge=0, lt=0.9)
    """Eccentricity of the orbit (Earth 0.0167, Mars 0.0935)."""
    perihelion_deg: float = Field(283.0, ge=0, lt=360)
    """Solar longitude at which the body is nearest to the sun, degrees from the northern spring equinox (Earth 283,
    Mars 251)."""
    year_days: float = Field(365.25, gt=0)
    """Length of the year, days of 86,400 s (Earth 365.25, Mars 686.98)."""
    rotation_s: float = Field(86_164.0, gt=0)
    """Time of one turn against the stars, seconds (Earth 86,164, Mars 88,643)."""


class Energy(Section):
    """Temperature at the shoreline: a seasonal energy balance (North, Cahalan and Coakley 1981) that winds carry."""

    cooling_w_m2_k: float = Field(10.1, gt=0)
    """Increase of emission with temperature, W/m2/K."""
    spread_w_m2_k: float = Field(0.14, gt=0)
    """Heat that the atmosphere and the sea carry between latitudes, W/m2/K on a sphere of radius 1."""
    absorbed: float = Field(0.68, gt=0, le=1)
    """Share of sunlight absorbed, mean of the sphere."""
    absorbed_poles: float = Field(-0.445, ge=-1, le=0)
    """How much less is absorbed near the poles: factor of the second Legendre polynomial."""
    land_capacity_j_m2_k: float = Field(3.06e7, gt=0)
    """Heat capacity of a column of air above land and of its ground, J/m2/K."""
    sea_capacity_j_m2_k: float = Field(1.76e8, gt=0)
    """Heat capacity of the mixed layer of the sea, J/m2/K."""
    land_warmer_k: float = -1.89
    """Mean of the year of land minus sea at the same latitude, near the equator, K."""
    land_colder_poles_k: float = -2.06
    """The same change towards the poles: factor of the second Legendre polynomial, K."""
    land_days: float = Field(2.3, gt=0)
    """Time in which air above land takes the ground's temperature, days."""
    sea_days: float = Field(1.36, gt=0)
    """Time in which air above the sea takes its temperature, days."""
    ice_c: float = -1.95
    """Sea that would be colder than this freezes, and then cools like land, degrees Celsius."""
    ice_width_k: float = Field(4.59, gt=0)
    """Width of the transition to ice, K."""
    snow_c: float = -2.55
    """Temperature at which half of the land is under snow, degrees Celsius."""
    snow_width_k: float = Field(3.13, gt=0)
    """Width of the transition to snow, K."""
    snow_k_per_w_m2: float = Field(0.0724, ge=0)
    """Cooling by the sunlight that snow and ice reflect, K per W/m2 of sunlight."""
    inversion_k: float = Field(48.4, ge=0)
    """Cooling of the air on snow in the dark of winter, K."""
    inversion_w_m2: float = Field(74.8, gt=0)
    """Sunlight that weakens the inversion by a factor of e, W/m2."""
    dry_k_per_w_m2: float = Field(0.0468, ge=0)
    """Warming of dry land, which sunlight heats instead of drying it, K per W/m2 of sunlight."""
    mixing_m2_s: float = Field(4.02e6, gt=0)
    """Mixing by weather, m2/s."""


class Sea(Section):
    """Temperature of the sea beyond its latitude: gyres and upwelling (Stommel 1948)."""

    friction_per_s: float = Field(3.99e-6, gt=0)
    """Friction of the gyres, 1/s; it makes the western currents wide enough for the grid."""
    gyre_depth_m: float = Field(337.0, gt=0)
    """Depth of the water that the gyres move, metres."""
    memory_days: float = Field(430.0, gt=0)
    """Time in which the sea forgets where its water came from, days."""
    deep_colder_k: float = Field(12.9, ge=0)
    """How much colder the water is that rises, K."""
    sinking_per_s: float = Field(1.16e-9, ge=0)
    """Rate at which cold water sinks and draws the surface towards the poles (Stommel and Arons 1960), 1/s."""
    equator_deg: float = Field(6.31, gt=0)
    """Latitude below which rotation is too weak to drive the surface apart, degrees on Earth."""
    spread_m: float = Field(3.75e5, gt=0)
    """Distance over which eddies spread the sea's temperature, metres."""


class Wind(Section):
    """Winds near the ground: friction against the pressure of belts and of heated land."""

    cell_width_deg: float = Field(33.1, gt=5, le=90)
    """Latitude of the subtropical highs on Earth; it scales with 1/sqrt(rotation times radius) (Held 2000)."""
    widest_cell_deg: float = Field(42.0, gt=5, le=90)
    """The cells of slow or small bodies are not drawn wider than this, degrees."""
    belts_hpa: float = Field(4.39, ge=0)
    """Amplitude of the pressure of the three belts, hPa."""
    belts_growth: float = 0.206
    """How much stronger the belts are at 90 degrees than at the equator."""
    belts_season: float = 0.362
    """How much stronger the belts are in winter than on average."""
    follow_sun: float = Field(0.414, ge=0, le=1)
    """Shift of the belts over that of the sun."""
    follow_lag_months: float = Field(1.68, ge=0, le=6)
    """How far the belts are behind the sun, twelfths of a year."""
    follow_warmth_deg_k: float = Field(0.939, ge=0)
    """Shift of the belts towards the warmer hemisphere, degrees per K between the hemispheres' means of the year (Kang
    et al. 2008)."""
    heated_hpa_k: float = Field(0.931, ge=0)
    """Fall of pressure where air is warmer than elsewhere on its latitude, hPa/K."""
    heated_reach_m: float = Field(1.5e5, gt=0)
    """Smoothing of the temperature that makes lows and highs, metres; weather has mixed it already."""
    sea_friction_per_day: float = Field(5.16, gt=0)
    """Friction above the sea, 1/day."""
    land_friction_per_day: float = Field(5.13, gt=0)
    """Friction above land, 1/day."""
    relief_friction_m: float = Field(3130.0, gt=0)
    """Height at which land brakes twice as much, metres."""
    aloft: float = Field(0.29, ge=0)
    """Share of the thermal wind in the wind that carries heat and moisture."""


class Moisture(Section):
    """Water that air carries and drops."""

    column_mm: float = Field(28.6, gt=0)
    """Water in a saturated column of air at 15 degrees Celsius, millimetres."""
    evaporation_mm_day: float = Field(5.78, gt=0)
    """Evaporation into dry air from sea at 15 degrees Celsius, mm/day."""
    land_evaporation: float = Field(0.757, ge=0, le=1)
    """Share of the rain on land that evaporates there."""
    rain_days: float = Field(4.63, gt=0)
    """Time in which saturated air of average ascent rains out, days."""
    humidity_power: float = Field(1.66, ge=0)
    """How steeply rain grows with relative humidity of the column."""
    ascent: float = Field(0.139, ge=0)
    """Growth of the logarithm of rain with convergence of the wind, per 1e-6/s."""
    convergence: float = Field(0.827, ge=0)
    """Share of the convergence of the wind that gathers moisture."""
    storms: float = Field(3.74, ge=0)
    """Growth of the logarithm of rain with the contrast of temperature along the meridian, per K per 100 km."""
    slope: float = Field(0.0599, ge=0)
    """Share of moisture lifted by slopes that falls there (Smith and Barstad 2004)."""
    heat: float = -0.491
    """Growth of the logarithm of rain per 10 K above 15 degrees Celsius (thunderstorms)."""
    unstable: float = 0.0667
    """Growth of the logarithm of rain per K that a place is warmer than its surroundings."""
    unstable_reach_m: float = Field(1.68e6, gt=0)
    """How far those surroundings reach, metres."""
    demand_mm_day: float = Field(4.17, gt=0)
    """Evaporation that wet land would have at 15 degrees Celsius; with less rain land is dry, mm/day."""
    mixing_m2_s: float = Field(1.07e6, gt=0)
    """Mixing by weather, m2/s."""


class ClimateModel(Section):
    """A body's climate; the defaults are Earth's."""

    mean_temperature_c: float = 18.1
    """Knob: mean temperature at the shoreline before snow, ice and deserts take their share, degrees Celsius. Earth's
    value gives 14.9 degrees at the ground (observed: 14.6)."""
    wetness: float = Field(1.0, gt=0, le=10)
    """Knob: factor of evaporation from the sea."""
    rain_scatter: float = Field(0.0, ge=0, le=1)
    """Knob: standard deviation of the logarithm of rain from place to place, of which winds and relief tell nothing. A
    simulated climate is smoother than a real one, and so would be its forests and deserts. For Earth 0, as it is
    judged; Mars has 0.3, a third of what the model misses on Earth's land (0.87)."""
    ice_sheet_c: float = -60.0
    """Knob: land whose year would be colder than this without ice keeps an ice sheet through the summer, degrees
    Celsius. Earth's value is below all of its land: what ice it has follows from its summers, and Siberia has none.
    Mars begins with the ice of its poles."""
    shoreline_m: float = 0.0
    """Knob: height of the shoreline above the body's datum, metres."""
    gravity_m_s2: float = Field(9.807, gt=0)
    """Gravity at the surface (Earth 9.807, Mars 3.721)."""
    lapse_per_gravity: float = Field(0.491, gt=0)
    """Lapse rate over gravity, K/km per m/s2. Earth's free air has 0.66 (6.5 K/km); air near the ground of mountains
    cools less with height. Mars has 0.38 of Earth's lapse rate."""
    cells_per_degree: float = Field(0.5, gt=0, le=2)
    """Resolution of winds and transport; what is finer is drawn by height and slope."""
    orbit: Orbit = Orbit()
    """Sunlight."""
    energy: Energy = Energy()
    """Temperature."""
    sea: Sea = Sea()
    """Currents."""
    wind: Wind = Wind()
    """Winds."""
    moisture: Moisture = Moisture()
    """Rain."""

    @property
    def lapse_rate_k_per_km(self) -> float:
        """Fall of temperature with height, K/km."""
        return self.lapse_per_gravity * self.gravity_m_s2


EARTH_CLIMATE = ClimateModel()
"""Earth as it is."""

MARS_CLIMATE = ClimateModel(
    mean_temperature_c=15.0,
    lapse_per_gravity=0.66,
    gravity_m_s2=3.721,
    shoreline_m=-2500.0,
    ice_sheet_c=-14.5,
    rain_scatter=0.3,
    orbit=Orbit(obliquity_deg=25.19, eccentricity=0.0935, perihelion_deg=251.0, year_days=686.98, rotation_s=88_643.0),
)
"""A terraformed Mars (NASA fact sheet): Earth's sunlight, its own year, day, tilt and gravity. Three degrees colder
than Earth, so that ice lasts on its sea; its mountains reach through the whole air, which cools by 2.5 K/km."""
