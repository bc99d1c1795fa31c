# What installs beside the programs.
