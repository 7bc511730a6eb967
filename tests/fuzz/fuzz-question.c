/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's questions for passphrases. */
#include "units/question.h"

#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct question question;
	int r;

	FUZZ_MARK(question);
	r = question_parse((struct ref){data, n}, &question);
	CHECK_RESULT(r, -ENOENT, -EBADMSG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(question));
		return 0;
	}
	CHECK(memchr(question.device, '\0', sizeof(question.device)) && question.device[0]);
	CHECK(question.to.sun_family == AF_UNIX && question.to.sun_path[0]);
	CHECK(memchr(question.to.sun_path, '\0', sizeof(question.to.sun_path)));
	return 0;
}
