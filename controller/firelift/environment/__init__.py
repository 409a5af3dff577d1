"""The ground, decided purely: what to plan, what may be applied, what is ready. Knows neither clock nor network."""
