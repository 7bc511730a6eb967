/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What other programs wrote: keys by `jose jwk gen`, their thumbprints by `jose jwk thp`,
 * advertisements by Debian 12's tangd 11 (GET /adv), and JWEs by its clevis 19 (`clevis encrypt tang`
 * with that advertisement as `adv`). One server for each curve, and one whose keys were rotated.
 */
#pragma once

#define CLEVIS_PLAINTEXT "sealed by clevis"
#define CLEVIS_URL       "http://tang.test"

struct tang_vector {
	const char *curve;
	const char *adv;
	const char *sign_s256, *sign_s1;
	const char *exchange_s256, *exchange_s1;
	const char *exchange_jwk; /* private */
	const char *jwe;
};

static const struct tang_vector tang_vectors[] = {
	{
		"P-256",
		"{\"payload\":\"eyJrZXlzIjogW3siYWxnIjogIkVDTVIiLCAiY3J2IjogIlAtMjU2IiwgImtleV9vcHMiO"
		"iBbImRlcml2ZUtleSJdLCAia3R5IjogIkVDIiwgIngiOiAiMlExaE9vczZQTEpmZGVxdTNxQW9iYWxRSjkxY"
		"TY5blB5OXZhcW9yYnN4byIsICJ5IjogIkg0LVNLd2QzVE85bjhfcHVkdG9fYzJvRFQzTU02RERkTC1LajRRb"
		"mJDOWsifSwgeyJhbGciOiAiRVMyNTYiLCAiY3J2IjogIlAtMjU2IiwgImtleV9vcHMiOiBbInZlcmlmeSJdL"
		"CAia3R5IjogIkVDIiwgIngiOiAidFBfTEhuVTd1MGkyYUV5b2t2cWNBQmlJc1ZSdU1YT0pER1B0VGx6b1AtT"
		"SIsICJ5IjogImRwTHh2UDJLeFVGN1ZVS0lKc29pYTVnM3Flb1kwMGxMc0I5dVhkdmJwUlkifV19\",\"prot"
		"ected\":\"eyJhbGciOiJFUzI1NiIsImN0eSI6Imp3ay1zZXQranNvbiJ9\",\"signature\":\"5e0LEhg"
		"sUM_eBSHbV6LKfEsBeiaQS7d1Ah7P9jeCj4z0OKYzCu57kOcLdzx8y8MvV1j4vKIrVyUgOppXN13Wlw\"}",
		"wPGnRNu233S4ualcv_bZ10o5b4cn6BxaxFvDyETKo_g",
		"zGfAHY3dHMwDAiWrkFYpvJpyJmE",
		"T-fOin24OcttOFk705CUyWwh-SIREpZu8rI_IzhiPfc",
		"HHt2ebFkOVjmIj68olOLbwj96ws",
		"{\"alg\":\"ECMR\",\"crv\":\"P-256\",\"d\":\"1z0JBvVH7rMYGvajujRTsMOHtmCKJ9055K5dqSUC"
		"cnk\",\"key_ops\":[\"deriveKey\"],\"kty\":\"EC\",\"x\":\"2Q1hOos6PLJfdequ3qAobalQJ91"
		"a69nPy9vaqorbsxo\",\"y\":\"H4-SKwd3TO9n8_pudto_c2oDT3MM6DDdL-Kj4QnbC9k\"}",
		"eyJhbGciOiJFQ0RILUVTIiwiY2xldmlzIjp7InBpbiI6InRhbmciLCJ0YW5nIjp7ImFkdiI6eyJrZXlzIjpb"
		"eyJhbGciOiJFQ01SIiwiY3J2IjoiUC0yNTYiLCJrZXlfb3BzIjpbImRlcml2ZUtleSJdLCJrdHkiOiJFQyIs"
		"IngiOiIyUTFoT29zNlBMSmZkZXF1M3FBb2JhbFFKOTFhNjluUHk5dmFxb3Jic3hvIiwieSI6Ikg0LVNLd2Qz"
		"VE85bjhfcHVkdG9fYzJvRFQzTU02RERkTC1LajRRbmJDOWsifSx7ImFsZyI6IkVTMjU2IiwiY3J2IjoiUC0y"
		"NTYiLCJrZXlfb3BzIjpbInZlcmlmeSJdLCJrdHkiOiJFQyIsIngiOiJ0UF9MSG5VN3UwaTJhRXlva3ZxY0FC"
		"aUlzVlJ1TVhPSkRHUHRUbHpvUC1NIiwieSI6ImRwTHh2UDJLeFVGN1ZVS0lKc29pYTVnM3Flb1kwMGxMc0I5"
		"dVhkdmJwUlkifV19LCJ1cmwiOiJodHRwOi8vdGFuZy50ZXN0In19LCJlbmMiOiJBMjU2R0NNIiwiZXBrIjp7"
		"ImNydiI6IlAtMjU2Iiwia3R5IjoiRUMiLCJ4IjoiemMtVFZucGVTdkhiTnp6cUtHNUZLRjBZbUQ3ZDFXRlJQ"
		"ckljcnlQZE9GZyIsInkiOiJrX3c0NzlheVVlWDVCcHFERXRpV3hHLXZtMUthbVFtaTZFTUZla2oyRmUwIn0s"
		"ImtpZCI6IlQtZk9pbjI0T2N0dE9GazcwNUNVeVd3aC1TSVJFcFp1OHJJX0l6aGlQZmMifQ..DgGl4HZ5OFmh"
		"2Gun.uF_GbQX6ol7psoE42aZm6Q.ahS9oxi01XaAEtVbDZ41Cw",
	},
	{
		"P-384",
		"{\"payload\":\"eyJrZXlzIjogW3siYWxnIjogIkVTMzg0IiwgImNydiI6ICJQLTM4NCIsICJrZXlfb3BzI"
		"jogWyJ2ZXJpZnkiXSwgImt0eSI6ICJFQyIsICJ4IjogIkdJeGxIbTUydHlpdV9PMWRHbGJkMXdhdmJ0YWJSW"
		"HBXR0prSDJ5RDVEelZtaEFlamJ0REhDc0ZKS2oxQUtzVTIiLCAieSI6ICJ5RTFVZVhJV24zQ1BPMHI3Y0NTe"
		"S1uaWp5MS04Z09SMEZ6QzlJYURLUEZEYmRiRXFEcHBxYWhHNlVPMlRyWG1tIn0sIHsiYWxnIjogIkVDTVIiL"
		"CAiY3J2IjogIlAtMzg0IiwgImtleV9vcHMiOiBbImRlcml2ZUtleSJdLCAia3R5IjogIkVDIiwgIngiOiAiM"
		"3ZkLTlBNXdSSDd1aW5zOUtXclZKb3ZKWWRlWC1tQ2RBdFhFYnI0Yzk1ZjVPR1h3V2JXZmV0cTlJcl9MNjBHU"
		"CIsICJ5IjogIm9rU09SVmV5Z0didVZHRks4U0czLUdNRklFV2FYTFpOOGs1bVQtY3JRQlRDTjlKQmE3SXRQT"
		"GVTSlhrSGRTRi0ifV19\",\"protected\":\"eyJhbGciOiJFUzM4NCIsImN0eSI6Imp3ay1zZXQranNvbi"
		"J9\",\"signature\":\"bNPOtgROG4mM4fEXSCYrC14hiYje6mSc2DoE7GT0aB8ddkRPAO1fWQ56Cr_FTu4"
		"vX04diU8Xw7wG0MHWg0ZFZuf8fp1D-BXDTmeumSdZEvqxwnq-2EViFSIY7Wwks0N0\"}",
		"Dp5RwewCD-GtcpxyQZkeGt8oYFbchOnwtWEGWleMhIc",
		"qlaHxl-fsKkaQRzb2qu0RCo5gs0",
		"81o7qU9cKldM4FUK9TfP7jAYMEfZT21cPjNb2uq8AG0",
		"voqBQvkhUNSz0HzggQZH_fY7lh8",
		"{\"alg\":\"ECMR\",\"crv\":\"P-384\",\"d\":\"xJzjmxzNnfaEXdE85YminJv9hHUdBiRc7T3VQAnW"
		"BbnVTeJhBktlbEIC8xjlfa2p\",\"key_ops\":[\"deriveKey\"],\"kty\":\"EC\",\"x\":\"3vd-9A"
		"5wRH7uins9KWrVJovJYdeX-mCdAtXEbr4c95f5OGXwWbWfetq9Ir_L60GP\",\"y\":\"okSORVeygGbuVGF"
		"K8SG3-GMFIEWaXLZN8k5mT-crQBTCN9JBa7ItPLeSJXkHdSF-\"}",
		"eyJhbGciOiJFQ0RILUVTIiwiY2xldmlzIjp7InBpbiI6InRhbmciLCJ0YW5nIjp7ImFkdiI6eyJrZXlzIjpb"
		"eyJhbGciOiJFUzM4NCIsImNydiI6IlAtMzg0Iiwia2V5X29wcyI6WyJ2ZXJpZnkiXSwia3R5IjoiRUMiLCJ4"
		"IjoiR0l4bEhtNTJ0eWl1X08xZEdsYmQxd2F2YnRhYlJYcFdHSmtIMnlENUR6Vm1oQWVqYnRESENzRkpLajFB"
		"S3NVMiIsInkiOiJ5RTFVZVhJV24zQ1BPMHI3Y0NTeS1uaWp5MS04Z09SMEZ6QzlJYURLUEZEYmRiRXFEcHBx"
		"YWhHNlVPMlRyWG1tIn0seyJhbGciOiJFQ01SIiwiY3J2IjoiUC0zODQiLCJrZXlfb3BzIjpbImRlcml2ZUtl"
		"eSJdLCJrdHkiOiJFQyIsIngiOiIzdmQtOUE1d1JIN3VpbnM5S1dyVkpvdkpZZGVYLW1DZEF0WEVicjRjOTVm"
		"NU9HWHdXYldmZXRxOUlyX0w2MEdQIiwieSI6Im9rU09SVmV5Z0didVZHRks4U0czLUdNRklFV2FYTFpOOGs1"
		"bVQtY3JRQlRDTjlKQmE3SXRQTGVTSlhrSGRTRi0ifV19LCJ1cmwiOiJodHRwOi8vdGFuZy50ZXN0In19LCJl"
		"bmMiOiJBMjU2R0NNIiwiZXBrIjp7ImNydiI6IlAtMzg0Iiwia3R5IjoiRUMiLCJ4IjoiLUVfWXl0R2VkaTg3"
		"S3VfUE9WU0JEbTljM3NEZy1XcThJXy1YMlpUZXFjbC1wWE9uRnVXRlduYllFVjRRMy0tRyIsInkiOiJ4cDRE"
		"QW5JT2N4Y1lrUDJqUnc2M0VsSE52dlo2ckRxdWp4UzNidUREenlNS053eUltZnFxeGJVd2U5LWRNY3g2In0s"
		"ImtpZCI6IjgxbzdxVTljS2xkTTRGVUs5VGZQN2pBWU1FZlpUMjFjUGpOYjJ1cThBRzAifQ..nZF8E6tGpQ5s"
		"UqGs.tA6Yg1ZVu9TdVeE3bbEexg.eS6eEQ2L1ktYXP8NspC6yw",
	},
	{
		"P-521",
		"{\"payload\":\"eyJrZXlzIjogW3siYWxnIjogIkVTNTEyIiwgImNydiI6ICJQLTUyMSIsICJrZXlfb3BzI"
		"jogWyJ2ZXJpZnkiXSwgImt0eSI6ICJFQyIsICJ4IjogIkFmd1EwVWtMd2JFdFJzRmp4dDZETngtR2pwSlAwW"
		"Ew2WkV2b1czV3ZiU3ZkMGtTc09FQllFalU1ZGpoMXNOMEM3M1FsUXNfZ29KYkdiSFVjdmNEMjRyRzIiLCAie"
		"SI6ICJBQ3p5VTVOVUs0T0NZZ29ySG1nWkRxb1RmaG1EZ2NzZ0d5MUowcHkxeHNlTXpGMXV2d3htZG1mOWlqR"
		"G5EYlUzSjNITDNzNGNTc05XeTh4MW9ocFNzc2ZPIn0sIHsiYWxnIjogIkVDTVIiLCAiY3J2IjogIlAtNTIxI"
		"iwgImtleV9vcHMiOiBbImRlcml2ZUtleSJdLCAia3R5IjogIkVDIiwgIngiOiAiQUNJR0NjMzJMWmg0OWd2M"
		"HEwZGg3SjR4VTBYcEdPQW50NWRuRWhDbkpBRTBHdUQ2YWhPSXp5RWpyaF9ZUFhyYVpZUlFYZW9NbUFncVAyZ"
		"mNaSGxqZGdxMCIsICJ5IjogIkFDaEdLRGtpR2lzaUJoanBmaVhHU3VjbHc4ZV9lZXpSOWo1WXpDRG5fNXVRW"
		"EszQ0ZlMzBiSlMta21zZFdhLWdfT2JfQ0tWN1ZrZWtOQW9DNjFpV0ZiM3cifV19\",\"protected\":\"ey"
		"JhbGciOiJFUzUxMiIsImN0eSI6Imp3ay1zZXQranNvbiJ9\",\"signature\":\"ARd_OZGxdtB426LDSQX"
		"KZDqMr7taZe-hj98wXGkb7tpTILCfjB7z7NxdeQqmGJe7P34SvsN_djo-3FgewDa_HPLZABjxQbuMpQzuTpZ"
		"loyZh96tG1xZWcySsXRyaF3qRLDRO22SeNUF4yranfE0tGVidv0Mf2T4unh_hEomP-O3Fy0C3\"}",
		"L3pSciQ_JnIU7k8LwTjWPb-LK45GxeFBsdjWf_q0iQA",
		"VP3xpHraExLXKHujlODL5kgMKws",
		"C1B9lH2BfYjzzDNXFsc8I_Dxqbx12PVDmQkE8xQbEL4",
		"wjpkb3U6Z6hWe9C6X5Ey33OSSZg",
		"{\"alg\":\"ECMR\",\"crv\":\"P-521\",\"d\":\"Abusq6pebGvG5wY10qE8H0OGU1tEmsm_I54jjSv-"
		"f5p1xvdZ-xVOGB2JCeUPsRQXw4Y5u_sPCtOmm-z6i7ROGNQr\",\"key_ops\":[\"deriveKey\"],\"kty"
		"\":\"EC\",\"x\":\"ACIGCc32LZh49gv0q0dh7J4xU0XpGOAnt5dnEhCnJAE0GuD6ahOIzyEjrh_YPXraZY"
		"RQXeoMmAgqP2fcZHljdgq0\",\"y\":\"AChGKDkiGisiBhjpfiXGSuclw8e_eezR9j5YzCDn_5uQXK3CFe3"
		"0bJS-kmsdWa-g_Ob_CKV7VkekNAoC61iWFb3w\"}",
		"eyJhbGciOiJFQ0RILUVTIiwiY2xldmlzIjp7InBpbiI6InRhbmciLCJ0YW5nIjp7ImFkdiI6eyJrZXlzIjpb"
		"eyJhbGciOiJFUzUxMiIsImNydiI6IlAtNTIxIiwia2V5X29wcyI6WyJ2ZXJpZnkiXSwia3R5IjoiRUMiLCJ4"
		"IjoiQWZ3UTBVa0x3YkV0UnNGanh0NkROeC1HanBKUDBYTDZaRXZvVzNXdmJTdmQwa1NzT0VCWUVqVTVkamgx"
		"c04wQzczUWxRc19nb0piR2JIVWN2Y0QyNHJHMiIsInkiOiJBQ3p5VTVOVUs0T0NZZ29ySG1nWkRxb1RmaG1E"
		"Z2NzZ0d5MUowcHkxeHNlTXpGMXV2d3htZG1mOWlqRG5EYlUzSjNITDNzNGNTc05XeTh4MW9ocFNzc2ZPIn0s"
		"eyJhbGciOiJFQ01SIiwiY3J2IjoiUC01MjEiLCJrZXlfb3BzIjpbImRlcml2ZUtleSJdLCJrdHkiOiJFQyIs"
		"IngiOiJBQ0lHQ2MzMkxaaDQ5Z3YwcTBkaDdKNHhVMFhwR09BbnQ1ZG5FaENuSkFFMEd1RDZhaE9JenlFanJo"
		"X1lQWHJhWllSUVhlb01tQWdxUDJmY1pIbGpkZ3EwIiwieSI6IkFDaEdLRGtpR2lzaUJoanBmaVhHU3VjbHc4"
		"ZV9lZXpSOWo1WXpDRG5fNXVRWEszQ0ZlMzBiSlMta21zZFdhLWdfT2JfQ0tWN1ZrZWtOQW9DNjFpV0ZiM3ci"
		"fV19LCJ1cmwiOiJodHRwOi8vdGFuZy50ZXN0In19LCJlbmMiOiJBMjU2R0NNIiwiZXBrIjp7ImNydiI6IlAt"
		"NTIxIiwia3R5IjoiRUMiLCJ4IjoiQVBHbnVqZG5UV25xOWtFdElLSnFFRG9ZR21qYUVJdXM0SExmTGVBa2ZE"
		"SS00SnFkelJSQTdwMXEzV01nb2pwc1hXMm5PMFhXU0htMWp2eWZBVEF0QVdtOCIsInkiOiJBY0tqS0hDSTQw"
		"NGNGSDFzc3duc3U2S3BIWklLTnREWGRjek9FdE5ldnRHUHJvbEs5cHFDbV9sUWdlTzNDemJLQnBTdXFWdXZr"
		"MnJMUzlSd1Z6dm9WWllRIn0sImtpZCI6IkMxQjlsSDJCZllqenpETlhGc2M4SV9EeHFieDEyUFZEbVFrRTh4"
		"UWJFTDQifQ..-HabxgFaQTsSREjy.UAglSRfKZ2ZR4-kOjYvsxw.vHNYHW5bF0s-z7wgCugYyg",
	},
};

/* By one server with the keys of the first two above: signed twice, in the general form. */
static const char tang_adv_rotated[] =
	"{\"payload\":\"eyJrZXlzIjogW3siYWxnIjogIkVDTVIiLCAiY3J2IjogIlAtMjU2IiwgImtleV9vcHMiO"
	"iBbImRlcml2ZUtleSJdLCAia3R5IjogIkVDIiwgIngiOiAiMlExaE9vczZQTEpmZGVxdTNxQW9iYWxRSjkxY"
	"TY5blB5OXZhcW9yYnN4byIsICJ5IjogIkg0LVNLd2QzVE85bjhfcHVkdG9fYzJvRFQzTU02RERkTC1LajRRb"
	"mJDOWsifSwgeyJhbGciOiAiRVMzODQiLCAiY3J2IjogIlAtMzg0IiwgImtleV9vcHMiOiBbInZlcmlmeSJdL"
	"CAia3R5IjogIkVDIiwgIngiOiAiR0l4bEhtNTJ0eWl1X08xZEdsYmQxd2F2YnRhYlJYcFdHSmtIMnlENUR6V"
	"m1oQWVqYnRESENzRkpLajFBS3NVMiIsICJ5IjogInlFMVVlWElXbjNDUE8wcjdjQ1N5LW5pankxLThnT1IwR"
	"npDOUlhREtQRkRiZGJFcURwcHFhaEc2VU8yVHJYbW0ifSwgeyJhbGciOiAiRUNNUiIsICJjcnYiOiAiUC0zO"
	"DQiLCAia2V5X29wcyI6IFsiZGVyaXZlS2V5Il0sICJrdHkiOiAiRUMiLCAieCI6ICIzdmQtOUE1d1JIN3Vpb"
	"nM5S1dyVkpvdkpZZGVYLW1DZEF0WEVicjRjOTVmNU9HWHdXYldmZXRxOUlyX0w2MEdQIiwgInkiOiAib2tTT"
	"1JWZXlnR2J1VkdGSzhTRzMtR01GSUVXYVhMWk44azVtVC1jclFCVENOOUpCYTdJdFBMZVNKWGtIZFNGLSJ9L"
	"CB7ImFsZyI6ICJFUzI1NiIsICJjcnYiOiAiUC0yNTYiLCAia2V5X29wcyI6IFsidmVyaWZ5Il0sICJrdHkiO"
	"iAiRUMiLCAieCI6ICJ0UF9MSG5VN3UwaTJhRXlva3ZxY0FCaUlzVlJ1TVhPSkRHUHRUbHpvUC1NIiwgInkiO"
	"iAiZHBMeHZQMkt4VUY3VlVLSUpzb2lhNWczcWVvWTAwbExzQjl1WGR2YnBSWSJ9XX0\",\"signatures\":"
	"[{\"protected\":\"eyJhbGciOiJFUzM4NCIsImN0eSI6Imp3ay1zZXQranNvbiJ9\",\"signature\":"
	"\"CdCklGeGHXeXiTu_u8Nf8jjjNExXnE-vZFBRXKKSSyRED-p8t_pdIG9UGM8WjGQQr8implh0dW5CUNxZyv"
	"nYbsRgb2MIP8LPB46tW_PcCc6aqIqwVQtTSfMhHDi-exnf\"},{\"protected\":\"eyJhbGciOiJFUzI1N"
	"iIsImN0eSI6Imp3ay1zZXQranNvbiJ9\",\"signature\":\"WA3T9fWntXvTq7OFSBuikhwTpqc8d7y62_"
	"xrjyQxhM5WvKEM_lv796EuUHRJnBKLqsJ1i0tl-30_fZOIAoepDA\"}]}";
