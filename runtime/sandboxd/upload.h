#ifndef SANDBOXD_UPLOAD_H
#define SANDBOXD_UPLOAD_H

/*
 * Uploads that continue after a lost connection: the core of tus 1.0 with creation, expiration and
 * termination. What has arrived is a file below the home directory or /tmp, so that it outlives
 * both the connection and sandboxd; its length is the offset. Once complete, it is moved to its
 * place at once. An upload that is not continued is removed after a day.
 */

/* Removes what earlier runs left behind too long ago. After loop_init() and place_init(). */
void uploads_init(void);

#endif
