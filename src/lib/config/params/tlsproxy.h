// Handles of the parameters in tlsproxy.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP tlsproxy
#define PARAM_FILE "config/params/tlsproxy.def"
#include "config/params/declare.inc"
