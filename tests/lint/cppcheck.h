/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops that are macros of libraries whose headers cppcheck does not read. */
#define json_array_foreach(array, i, value) \
	for ((i) = 0; (i) < json_array_size(array) && ((value) = json_array_get(array, i)); (i)++)
#define json_object_foreach(object, key, value)                      \
	for ((key) = json_object_iter_key(json_object_iter(object)); \
	     (key) && ((value) = json_object_get(object, key));      \
	     (key) = json_object_iter_key(json_object_iter_next(object, (void *)(key))))
#define json_object_foreach_safe(object, next, key, value)                          \
	for ((next) = json_object_iter(object), (key) = json_object_iter_key(next); \
	     (key) && ((value) = json_object_get(object, key));                     \
	     (next) = json_object_iter_next(object, next), (key) = json_object_iter_key(next))
