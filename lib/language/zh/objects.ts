/** Messages of lib/objects. */
export const objects = {
  '{0} has more than {1} bytes, the limit for an object that is read whole':
    '{0} 超过 {1} 字节，这是整体读取一个对象的上限',
  '{0} is on a file system without hard links, by which several processes agree who was first: choose a directory on another file system, or a bucket (s3://bucket/prefix)':
    '{0} 所在的文件系统不支持硬链接，而多个进程靠硬链接确定谁先写入：请选择其他文件系统上的目录，或存储桶（s3://bucket/prefix）',
  'the store is given as {0}: it must be a path of a directory': '存储写作 {0}：必须是目录的路径',
  '{0} accepted a second write of an object that may be written only once, so two workers could both believe that their result is the one: use a store with conditional writes (If-None-Match), or a directory':
    '{0} 接受了对同一对象的第二次写入，而该对象只能写一次，因此两个 worker 可能都认为自己的结果生效：请使用支持条件写入（If-None-Match）的存储，或使用目录',
} as const
