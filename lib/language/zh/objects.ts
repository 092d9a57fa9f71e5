/** Messages of lib/objects. */
export const objects = {
  '{0} has more than {1} bytes, the limit for an object that is read whole':
    '{0} 超过 {1} 字节，这是整体读取一个对象的上限',
  '{0} is on a file system without hard links, by which several processes agree who was first: choose a directory on another file system, or a bucket (s3://bucket/prefix)':
    '{0} 所在的文件系统不支持硬链接，而多个进程靠硬链接确定谁先写入：请选择其他文件系统上的目录，或存储桶（s3://bucket/prefix）',
  '{0} accepted a second write of an object that may be written only once, so two workers could both believe that their result is the one: use a store with conditional writes (If-None-Match), or a directory':
    '{0} 接受了对同一对象的第二次写入，而该对象只能写一次，因此两个 worker 可能都认为自己的结果生效：请使用支持条件写入（If-None-Match）的存储，或使用目录',
  'the store is given as {0}: write a path, or s3://bucket/prefix': '存储写作 {0}：请写路径，或 s3://bucket/prefix',
  'the address of the bucket is {0}: write s3://bucket/prefix, with keys and endpoint in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL':
    '存储桶地址为 {0}：请写 s3://bucket/prefix，密钥和端点放在 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY 和 AWS_ENDPOINT_URL 中',
  's3://{0} did not return a list of objects: check that AWS_ENDPOINT_URL is the address of an S3 service':
    's3://{0} 没有返回对象列表：请检查 AWS_ENDPOINT_URL 是否为 S3 服务的地址',
  's3://{0}/{1} could not be written: each of {2} tries conflicted with another write. Run the same command again: it resumes':
    's3://{0}/{1} 无法写入：{2} 次尝试都与另一次写入冲突。请再次运行同一命令：会续跑',
  'AWS_PROFILE is {0}, but neither {1} nor {2} has a profile of that name':
    'AWS_PROFILE 为 {0}，但 {1} 和 {2} 中都没有这个名称的 profile',
  'cannot read {0}: {1}': '无法读取 {0}：{1}',
  'the object store returned more than {0} bytes for a call of its API': '对象存储的一次 API 调用返回了超过 {0} 字节',
  '{0} {1}. The object is not the one that was listed: restore it, or use a new run directory':
    '{0} {1}。该对象已不是列出时的对象：请恢复它，或使用新的运行目录',
  'AWS_REGION is {0}: write a name such as eu-central-1': 'AWS_REGION 为 {0}：请写区域名，例如 cn-north-1',
  'AWS_ENDPOINT_URL must begin with http:// or https://: found {0}':
    'AWS_ENDPOINT_URL 必须以 http:// 或 https:// 开头：当前为 {0}',
  'AWS_ENDPOINT_URL contains a user or a password (not shown): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY':
    'AWS_ENDPOINT_URL 含有用户名或密码（不显示）：请改用 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY',
  'AWS_S3_ADDRESSING_STYLE is {0}: write path, virtual or auto':
    'AWS_S3_ADDRESSING_STYLE 为 {0}：请写 path、virtual 或 auto',
  'only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: set both':
    'AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY 只设置了一个：请两个都设置',
  '{0} was refused with {1}. {2}': '{0} 被拒绝：{1}。{2}',
  'Check the name of the bucket and AWS_ENDPOINT_URL.': '请检查存储桶名称和 AWS_ENDPOINT_URL。',
  'Set the clock of this machine.': '请校准本机时钟。',
  'Check AWS_ENDPOINT_URL and AWS_REGION.': '请检查 AWS_ENDPOINT_URL 和 AWS_REGION。',
  'No keys are set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.':
    '没有设置密钥：请设置 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY。',
  'Check the keys, which are from {0}, and that no proxy changes requests.':
    '请检查密钥（来自 {0}），并确认没有代理改动请求。',
  'The keys are from {0}; they need s3:GetObject, s3:PutObject, s3:DeleteObject on the objects and s3:ListBucket on the bucket.':
    '密钥来自 {0}；需要对象的 s3:GetObject、s3:PutObject、s3:DeleteObject 权限，以及存储桶的 s3:ListBucket 权限。',
  's3://{0}/{1} could not be uploaded in parts: the response names no upload':
    's3://{0}/{1} 无法分段上传：响应中没有上传编号',
  's3://{0} does not implement conditional writes (If-None-Match), by which workers agree who was first: use a store that does, or a directory':
    's3://{0} 不支持条件写入（If-None-Match），而 worker 靠它确定谁先写入：请使用支持的存储，或使用目录',
  'replies of {0} could not be copied to the store, which is tried again: {1}':
    '{0} 的回复无法复制到存储，会再次尝试：{1}',
} as const
