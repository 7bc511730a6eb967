#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The SHA-256 of a volume's plain data: decrypt.py FILE OFFSET SECTOR-SIZE VOLUME-KEY-FILE

Decrypts what dm-crypt would with aes-xts-plain64 and a key of 512 bits, without device-mapper.
"""
import ctypes
import hashlib
import sys

crypto = ctypes.CDLL('libcrypto.so.3')
crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
crypto.EVP_aes_256_xts.restype = ctypes.c_void_p


def must(result):
    if result != 1:
        sys.exit('libcrypto failed')


def main():
    name, offset, sector, key_file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    with open(key_file, 'rb') as file:
        key = file.read()
    with open(name, 'rb') as file:
        file.seek(offset)
        data = file.read()
    if len(key) != 64 or len(data) % sector:
        sys.exit('the key or the data have a wrong length')

    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_aes_256_xts())
    must(crypto.EVP_DecryptInit_ex(context, cipher, None, key, None))
    plain, length = ctypes.create_string_buffer(sector), ctypes.c_int()
    digest = hashlib.sha256()
    for at in range(0, len(data), sector):
        # plain64 counts sectors of 512 bytes, however large those of the volume are.
        tweak = (at // 512).to_bytes(16, 'little')
        must(crypto.EVP_DecryptInit_ex(context, None, None, None, tweak))
        must(crypto.EVP_DecryptUpdate(context, plain, ctypes.byref(length),
                                      data[at:at + sector], sector))
        digest.update(plain.raw)
    print(digest.hexdigest())


main()
