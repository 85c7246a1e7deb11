"""The page at `/`: written by hand, served as it is, without a build, a framework or another host."""
