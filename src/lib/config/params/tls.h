// Handles of the parameters in tls.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP tls
#define PARAM_FILE "config/params/tls.def"
#include "config/params/declare.inc"
