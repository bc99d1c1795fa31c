// Handles of the parameters in services.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP services
#define PARAM_FILE "config/params/services.def"
#include "config/params/declare.inc"
