// Handles of the parameters in smtp.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP smtp
#define PARAM_FILE "config/params/smtp.def"
#include "config/params/declare.inc"
