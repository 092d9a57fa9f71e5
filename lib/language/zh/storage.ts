/** Messages of lib/storage. */
export const storage = {
  '{0} Its incomplete end remains until it is opened again: {1}': '{0} 其末尾不完整的部分会保留到再次打开时：{1}',
  '{0} would have {1} bytes, more than the {2} that can be read back: divide the input, with fewer shards in each run, or join small shards into larger ones':
    '{0} 将有 {1} 字节，超过可读回的 {2}：请拆分输入，减少每次运行的分片数，或把小分片合并成大分片',
  '{0} has {1} bytes, more than the limit of {2}: it may not be a file of kun-stream':
    '{0} 有 {1} 字节，超过上限 {2}：它可能不是 kun-stream 的文件',
  'could not {0} {1}: {2} ({3}). {4}': '操作失败（{0} {1}）：{2}（{3}）。{4}',
  '{0} is not a log of kun-stream: its header is not valid JSON': '{0} 不是 kun-stream 的日志：其头部不是有效的 JSON',
  '{0} has log format {1}, this version of kun-stream writes {2}: use the version that made it':
    '{0} 的日志格式为 {1}，此版本的 kun-stream 写入 {2}：请使用生成它的版本',
  '{0} was made with other settings: {1}. Use the same settings, or another directory.':
    '{0} 是用其他设置生成的：{1}。请使用相同设置，或另一个目录。',
  '{0} is damaged at byte {1}: {2}. Restore it from a backup or a mirror, or start over in another directory.':
    '{0} 在第 {1} 字节处损坏：{2}。请从备份或镜像恢复，或在另一个目录重新开始。',
  'a split is named {0}: letters, digits and _ are allowed, with dots between words, 100 at most':
    '某个数据划分名为 {0}：只允许字母、数字和 _，词间可用点，最多 100 个字符',
  'a JSON file of the run would be longer than the longest text: divide the input, with fewer shards in each run':
    '运行的某个 JSON 文件将超过文本的最大长度：请拆分输入，减少每次运行的分片数',
  'it is not valid JSON': '不是有效的 JSON',
  'it has no checksum at its end': '末尾没有校验和',
  '{0} is damaged: {1}. {2}': '{0} 已损坏：{1}。{2}',
  '{0} is being taken over by another process: this run did not renew it in time':
    '{0} 正被另一个进程接管：本运行没有及时续期',
  '{0} was deleted: another process may work on this run directory.':
    '{0} 已被删除：可能有另一个进程在使用此运行目录。',
  '{0} is held by process {1} on {2}: another process may work on this run directory.':
    '{0} 由 {2} 上的进程 {1} 持有：可能有另一个进程在使用此运行目录。',
  'This one stops and commits nothing more; run it again once the other one has ended.':
    '本进程停止，不再提交；请在另一个结束后再次运行。',
  '{0} could not be renewed in time, and another process may have taken it over{1} This run stops and commits nothing more; run it again.':
    '{0} 未能及时续期，可能已被另一个进程接管{1}本运行停止，不再提交；请再次运行。',
  'could not acquire {0}: too much contention. Delete it if no run is in progress.':
    '无法获得 {0}：竞争过多。若没有正在进行的运行，请删除它。',
  '{0} {1}: it {2}, its last sign of life is {3} old. Wait for it, or stop it (it resumes). One that was killed is taken over {4} s after its last sign of life at the latest; `{5}` waits for that by itself.':
    '{0} {1}：它{2}，最近一次活动在 {3} 前。请等待，或停止它（之后可续跑）。若已被杀死，最迟在最后一次活动 {4} 秒后可接管；`{5}` 会自动等待。',
  '{0} was written by another version of kun-stream, which does not renew it. Delete it if no run is in progress there.':
    '{0} 是由另一个版本的 kun-stream 写入的，该版本不会续期。若那里没有正在进行的运行，请删除它。',
  '{0} no longer has a reply that it had: was it changed by hand?': '{0} 中少了一条原有的回复：是否被手工改动过？',
  '{0}: a block of {1} replies cannot be decompressed': '{0}：一个含 {1} 条回复的块无法解压',
  '{0}: a block of replies ends inside an entry': '{0}：一个回复块在条目中间结束',
  '{0} is compressed with {1}, which this version does not know': '{0} 用 {1} 压缩，此版本不认识',
  '{0} has no valid reply at byte {1}, where one was written': '{0} 在第 {1} 字节处应有回复，但无效',
  'the disk is full': '磁盘已满',
  'the disk quota is used up': '磁盘配额已用完',
  'Free some space, then run the same command again: a run resumes.': '请释放空间，然后再次运行同一命令：运行会续跑。',
  'the file system is read-only': '文件系统为只读',
  'Choose an output directory that can be written to.': '请选择可写的输出目录。',
  'too many open files in this process': '本进程打开的文件过多',
  'Raise the limit (`ulimit -n 4096`), then run again: it resumes.':
    '请提高上限（`ulimit -n 4096`），然后再次运行：会续跑。',
  'too many open files on this machine': '本机打开的文件过多',
  'Close other programs, then run again: it resumes.': '请关闭其他程序，然后再次运行：会续跑。',
  'permission denied': '没有权限',
  'not permitted': '操作不被允许',
  'Give this user the right to read and write there, or choose another directory.':
    '请给该用户读写权限，或选择其他目录。',
  'the device reported an error': '设备报告错误',
  'Check the disk (dmesg, SMART); `kun-stream verify` lists what is intact.':
    '请检查磁盘（dmesg、SMART）；`kun-stream verify` 会列出完好的部分。',
  'Check the disk and its connection, then run again: it resumes.': '请检查磁盘及其连接，然后再次运行：会续跑。',
  'the file was replaced or removed on the file server': '文件在文件服务器上被替换或删除',
  'Check the mount, then run again: it resumes.': '请检查挂载，然后再次运行：会续跑。',
  'the file server does not answer': '文件服务器没有响应',
  'the file server is not connected': '文件服务器未连接',
  'no such file or directory': '没有该文件或目录',
  'Check the path.': '请检查路径。',
  'a link in the path leads to itself': '路径中的链接指向自身',
  'not supported by the file system': '文件系统不支持',
  'Choose another directory.': '请选择其他目录。',
  'it exists already': '已经存在',
  'Another process may have created it.': '可能由另一个进程创建。',
  'a part of the path is not a directory': '路径中有一部分不是目录',
  'it is a directory': '它是目录',
  'the name is too long': '名称过长',
  'Choose a shorter directory or split name.': '请使用更短的目录名或数据划分名。',
  'See the cause.': '请查看原因。',
  'the thread that encodes Parquet was lost: {0}. Run the same command again':
    '编码 Parquet 的线程已丢失：{0}。请再次运行同一条命令',
} as const
