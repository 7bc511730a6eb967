/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of a policy (sss.h): its threshold and its parts, and where in a tree they are. */
#pragma once

#include "sss/sss.h"

/* A configuration within a tree of them. */
struct sss_spot {
	const struct sss_spot *above; /* NULL at the root */
	const char *pin;              /* its pin, and which of that pin's it is in the one above */
	size_t i;
	unsigned depth;
};

/* Where it is, as one would write it in a program: "pins.sss[0].pins.tang[1]"; "" at the root. */
void sss_spot_name(const struct sss_spot *spot, char *ret, size_t size);

/* How many of the parts are needed. */
size_t sss_threshold(const json_t *config);

/* Whether "t", where it is there, is a number from 1 to n. */
bool sss_threshold_ok(const json_t *config, size_t n);

/*
 * The parts in the order of the shares, whether or not they are well-formed: a new array, each for the
 * functions below. A pin's value is one configuration or an array of them. NULL out of memory.
 */
json_t *sss_parts(const json_t *config);

const char *sss_part_pin(const json_t *part);
json_t *sss_part_config(const json_t *part);

/* Its place below `above`, which the result borrows. */
struct sss_spot sss_part_spot(const json_t *part, const struct sss_spot *above);
